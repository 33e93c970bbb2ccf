-- The first schema. Times are UTC; amounts are integer minor units.

create table stores (
    id            text primary key,
    name          text not null,
    brand_color   text not null default '#1f4f8f',
    support_email text not null default '',
    support_url   text not null default '',
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

create table policies (
    name       text not null,
    version    int  not null,
    body       jsonb not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    primary key (name, version)
);

-- Only a hash of the secret is kept.
create table api_keys (
    id         text primary key,
    name       text not null,
    hash       bytea not null,
    scopes     text[] not null,
    store      text,                     -- null: any store
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- One row per order: what was asked for, and the read model that its workflow
-- writes. `seq` never goes backwards.
create table orders (
    id           text primary key,       -- store:number
    store        text not null,
    number       text not null,
    spec         jsonb not null,
    request_hash bytea not null,         -- a retry must ask for the same order
    token_hash   bytea not null unique,  -- of the tracking page's token
    customer_ref text not null,
    created_at   timestamptz not null default now(),
    started_at   timestamptz,            -- its workflow is known to exist

    seq          bigint not null default 0,
    status       text not null default 'received',
    summary      text not null default 'Order received',
    class        text not null,
    placed_at    timestamptz not null,
    promised_at  timestamptz,
    delivered_at timestamptz,
    late         boolean not null default false,
    on_hold      boolean not null default false,
    closed       boolean not null default false,
    parcels      int not null default 0,
    carriers     text[] not null default '{}',
    open_cases   text[] not null default '{}',
    anomalies    int not null default 0,
    next_what    text not null default '',
    next_owner   text not null default '',
    next_until   timestamptz,
    state        jsonb,
    updated_at   timestamptz not null default now()
);
create index orders_unstarted on orders (created_at) where started_at is null;          -- the relay's next starts
create index orders_newest on orders (placed_at desc, id desc);                          -- lists, page by page; those below are their filters
create index orders_by_store on orders (store, placed_at desc, id desc);                 -- a small store among large ones
create index orders_by_status on orders (status, placed_at desc, id desc);               -- the few that are lost or held back
create index orders_with_case on orders (placed_at desc, id desc) where open_cases <> '{}'; -- the work list; open cases are few, so the kind is a filter
create index orders_by_number on orders (number);                                        -- what people type; stores may share one

-- Personal data lives here and in addresses, and nowhere else.
create table contacts (
    order_id text primary key references orders on delete cascade,
    name     text not null default '',
    email    text not null default '',
    phone    text not null default '',
    language text not null default ''
);
create table addresses (
    order_id   text not null references orders on delete cascade,
    version    int not null,
    body       jsonb not null,
    created_at timestamptz not null default now(),
    primary key (order_id, version)
);

-- The read model's parcels; also how an event finds its order.
create table parcels (
    order_id   text not null,
    id         text not null,
    position   int  not null,
    carrier    text not null default '',
    service    text not null default '',
    tracking   text not null default '',
    milestone  text not null,
    since      timestamptz not null,
    eta        timestamptz,
    watched    boolean not null default true,     -- a case or check is open: every event matters
    ride_along interval not null default '0',     -- how long a routine scan may wait
    bound_at   timestamptz not null default now(),-- when it got this tracking number
    primary key (order_id, id)
);
create index parcels_tracking on parcels (tracking, bound_at) where tracking <> ''; -- the last parcel with a number comes first, read backwards
create index parcels_bound on parcels (bound_at);

-- Every accepted fact, once. order_id is null while it is an orphan.
create sequence inbox_n;
create table inbox (
    n           bigint primary key default nextval('inbox_n'), -- renewed when an orphan attaches
    source      text not null,           -- warehouse, carrier:ups
    event_id    text not null,           -- the source's own, or a fingerprint
    kind        text not null,           -- scan, carrier_event
    order_id    text,
    parcel_id   text,
    ref_order   text not null default '',-- how the event itself names its parcel
    ref_parcel  text not null default '',
    carrier     text not null default '',
    tracking    text not null default '',
    milestone   text not null default '',
    code        text not null default '',
    bucket      text not null default '',
    physical    boolean not null default false,
    correction  boolean not null default false,
    eta         timestamptz,
    occurred_at timestamptz not null,
    local_time  text not null default '',-- wall clock as sent
    utc_offset  text not null default '',
    time_basis  text not null default 'offset', -- how UTC was found
    location    text not null default '',
    description text not null default '',
    actor       text not null default '',
    received_at timestamptz not null default now(),
    due_at      timestamptz not null,    -- the order must know by then
    sent_at     timestamptz,
    outcome     text not null default '' -- late: the order had closed
);
create unique index inbox_event on inbox (source, event_id);                    -- each fact once
create index inbox_order on inbox (order_id) where order_id is not null;        -- a timeline; what waits for an order
create index inbox_due on inbox (due_at) where sent_at is null and order_id is not null; -- the relay's next look
create index inbox_orphan_tracking on inbox (tracking) where order_id is null and ref_order = ''; -- orphans, by how they name their parcel
create index inbox_orphan_ref on inbox (ref_order, ref_parcel) where order_id is null and ref_order <> '';

-- The order's own story, written with the read model: the outbox that messages
-- and webhooks are made from.
create table happenings (
    id          bigint generated always as identity primary key,
    order_id    text not null,
    seq         bigint not null,
    n           int not null,
    type        text not null,
    at          timestamptz not null,
    parcel      text not null default '',
    milestone   text not null default '',
    case_kind   text not null default '',
    body        text not null default '',
    actor       text not null default '',
    cause       text not null default '',
    recorded_at timestamptz not null default now(),
    unique (order_id, seq, n)
);

-- Who asked for what, why, and what came of it. The row comes before the act.
create table audit (
    id         text primary key,         -- also the workflow's Update ID
    order_id   text not null,
    action     text not null,
    actor      text not null,
    role       text not null,
    reason     text not null default '',
    request    jsonb not null,
    created_at timestamptz not null default now(),
    outcome    text not null default '', -- '', done, refused, failed
    detail     text not null default '',
    ended_at   timestamptz
);
create index audit_order on audit (order_id, created_at);

create table idempotency (
    actor        text not null,
    key          text not null,
    request_hash bytea not null,
    status       int not null default 0,  -- 0: under way
    response     jsonb,
    created_at   timestamptz not null default now(),
    primary key (actor, key)
);

---- create above / drop below ----

drop table idempotency, audit, happenings, inbox, parcels, addresses, contacts, orders, api_keys, policies, stores;
drop sequence inbox_n;
