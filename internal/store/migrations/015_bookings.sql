-- What carriers were asked to make for returns: labels and pickups. A row is there
-- before the request that makes it is sent, so that whoever goes on after a crash or
-- a lost answer looks for it and does not ask again.
create table bookings (
    order_id   text not null references orders on delete cascade,
    id         text not null,            -- the order's own name for it, and its command's
    return_id  text not null,
    kind       text not null,            -- label, pickup
    carrier    text not null,
    credential text not null,
    state      text not null,            -- sending, ready (it was not sent), unclear, made, declined
    handle     text not null default '', -- the carrier's name of what the request completes
    looks      int  not null default 0,  -- how often it was looked for
    moved_by   text not null default '', -- the carrier that moves the parcel, if it is another
    tracking   text not null default '',
    reference  text not null default '',
    amount     bigint not null default 0,-- minor units
    currency   text not null default '',
    reason     text not null default '', -- codes, never a carrier's words
    media_type text not null default '',
    label      bytea,                    -- personal data: it shows names and addresses
    asked_at   timestamptz not null default now(),
    ended_at   timestamptz,
    primary key (order_id, id)
);

-- Where returns go.
alter table stores add column returns_address jsonb;

---- create above / drop below ----

alter table stores drop column returns_address;
drop table bookings;
