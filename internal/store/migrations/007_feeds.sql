-- How carriers' feeds do. All three tables are rolled up from the inbox a little
-- after the facts came in, never on their way in.

-- What was pushed, by hour: what a feed's silence is judged by. An hour without
-- a push has no row.
create table feed_hours (
    source  text not null,               -- as in the inbox: carrier:ups
    hour    timestamptz not null,
    events  bigint not null,
    minutes int not null,                -- minutes of the hour in which something was pushed
    last_at timestamptz not null,
    primary key (source, hour)
);

-- What a feed has to do with each number: when it was last heard of, by whatever
-- way, when we asked, and whether we subscribed to it.
create table feed_numbers (
    source           text not null,
    tracking         text not null,
    heard_at         timestamptz,
    asked_at         timestamptz,
    subscribed_at    timestamptz,
    subscribed_until timestamptz,        -- null: it does not end by itself
    refused_at       timestamptz,        -- the last time that a subscription was
    primary key (source, tracking)
);

-- How far the roll-up is: everything received before upto is counted. Whatever
-- was received since has a higher number than n; the other two become n later.
create table feed_rollup (
    one       boolean primary key default true check (one),
    upto      timestamptz not null,
    n         bigint not null,
    looked_n  bigint not null,
    looked_at timestamptz not null
);
insert into feed_rollup (upto, n, looked_n, looked_at)
select date_trunc('minute', now()) + interval '1 minute', last, last, now() from (select case when is_called then last_value else last_value - 1 end as last from inbox_n) q;

-- Feeds know their rhythm from the first day on.
insert into feed_hours (source, hour, events, minutes, last_at)
select source, date_trunc('hour', received_at), count(*), count(distinct date_trunc('minute', received_at)), max(received_at)
from inbox, feed_rollup
where source like 'carrier:%' and actor not in ('poll', 'file') and received_at >= now() - interval '28 days' and received_at < upto
group by 1, 2;

-- The parcels that a carrier should know, and that need something yet.
create index parcels_underway on parcels (carrier, tracking)
    where tracking <> '' and milestone not in ('expected', 'picked', 'packed', 'cancelled', 'lost', 'delivered', 'returned', 'destroyed');

---- create above / drop below ----

drop index parcels_underway;
drop table feed_rollup, feed_numbers, feed_hours;
