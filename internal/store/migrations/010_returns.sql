-- The returns of all orders: the list of the returns desk. Orders without returns
-- never write here.
create table returns (
    order_id     text not null,
    id           text not null,
    store        text not null,
    state        text not null,
    parcel       text not null,          -- in which it comes
    carrier      text not null,
    tracking     text not null,
    units        int  not null,          -- asked for, of all lines
    what         text not null,          -- that it waits for next; '': nothing
    owner        text not null,          -- who must act for that
    due          timestamptz not null,   -- until when; the year 9999: it waits for nothing
    requested_at timestamptz not null,
    since        timestamptz not null,   -- of the state
    ended_at     timestamptz,
    primary key (order_id, id)
);
-- The list in the order of its pages: what is open by its due time, what has
-- ended by when it did; and the filters that leave little of it.
create index returns_due   on returns (due, order_id, id)           where ended_at is null;
create index returns_owner on returns (owner, due, order_id, id)    where ended_at is null;
create index returns_state on returns (state, due, order_id, id)    where ended_at is null;
create index returns_store on returns (store, due, order_id, id)    where ended_at is null;
create index returns_ended on returns (ended_at, order_id, id)      where ended_at is not null;

-- The order that this one replaces: what a replacement or an exchange sends.
alter table orders add column replaces text;
create index orders_replaces on orders (replaces) where replaces is not null;

---- create above / drop below ----

alter table orders drop column replaces;
drop table returns;
