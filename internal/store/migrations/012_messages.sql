-- What buyers, teams and storefronts are told. A row is an intent, committed
-- before anything is sent; nothing in it names a person. Personal data of
-- messages is in kept_messages and nowhere else.
create table messages (
    id           uuid primary key default gen_random_uuid(), -- goes to the provider and comes back in its callbacks
    order_id     text not null,
    occasion     text not null,          -- what it is about, the same whoever hears of it
    audience     text not null,
    channel      text not null,
    kind         text not null,
    intent       json not null,          -- what its words are made of
    status       text not null default 'planned'
        check (status in ('planned', 'sending', 'sent', 'delivered', 'failed', 'dropped', 'unclear')),
    not_before   timestamptz not null,   -- the channel's sender leaves it alone until then; infinity: for good
    until        timestamptz not null,   -- not worth sending after
    attempts     int not null default 0,
    attempted_at timestamptz,            -- the last one
    told         text[] not null default '{}', -- the parcels that the last one's words tell of
    recipient    bytea,                  -- keyed hash of the address of the last one
    provider     text not null default '',
    provider_id  text not null default '',
    reason       text not null default '',
    planned_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create unique index messages_intent on messages (order_id, occasion, audience, channel); -- each intent once; an order's messages
create index messages_due on messages (channel, not_before) where not_before < 'infinity'; -- the sender's next look; what waits
create index messages_unclear on messages (attempted_at) where status = 'unclear'; -- for people
create unique index messages_provider_id on messages (provider, provider_id) where provider_id <> ''; -- what the provider has is one message's only

-- What providers said of messages, each once, whatever order it came in.
create table message_events (
    provider    text not null,
    event_id    text not null,
    message_id  uuid not null references messages on delete cascade,
    kind        text not null,
    permanent   boolean not null,
    reason      text not null,
    code        text not null,
    at          timestamptz,             -- as the provider says; Twilio does not
    received_at timestamptz not null default now(),
    primary key (provider, event_id)
);
create index message_events_message on message_events (message_id);

-- Addresses and numbers that get nothing: told so by their owner, or dead. Only a
-- keyed hash is kept, so that it outlives the buyer's data and names nobody.
create table suppressions (
    channel   text not null,
    recipient bytea not null,
    reason    text not null,
    since     timestamptz not null,
    lifted_at timestamptz,               -- null: in force
    primary key (channel, recipient)
);

-- Whole messages with names and addresses in them: those of which nobody knows yet
-- whether they went out, to ask for the same words, and those of the local outbox.
create table kept_messages (
    message_id uuid primary key references messages on delete cascade,
    order_id   text not null,
    channel    text not null,
    body       json not null,
    kept_at    timestamptz not null default now(),
    shelved_at timestamptz               -- the local outbox took it
);
create index kept_messages_order on kept_messages (order_id);                                 -- to erase
create index kept_messages_shelf on kept_messages (shelved_at desc, message_id) where shelved_at is not null; -- to show

-- How far happenings are planned for. Their numbers commit out of order, so those
-- up to the fence are read once every transaction that is older than it has ended.
-- Orders that went on before this table existed are told of from now on.
create table message_plan (
    one       boolean primary key default true check (one),
    upto      bigint not null,
    fence     bigint not null,
    fence_xid bigint not null
);
insert into message_plan (upto, fence, fence_xid)
select last, last, 0 from (select case when is_called then last_value else last_value - 1 end as last from happenings_id_seq) q;

---- create above / drop below ----

drop table message_plan, kept_messages, suppressions, message_events, messages;
