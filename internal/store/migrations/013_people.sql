-- What buyers wish to hear from a store: by its reference of the customer, so that
-- it holds for the orders to come.
create table preferences (
    store        text not null,
    customer_ref text not null,
    channel      text not null,          -- email or sms; '': the policy decides
    frequency    text not null,          -- all, important, none; '': all
    language     text not null,          -- '': that of the order
    updated_at   timestamptz not null default now(),
    primary key (store, customer_ref)
);

-- Where the teams of a store hear of cases. The webhook's secret is named, not kept.
create table teams (
    store          text not null references stores on delete cascade,
    team           text not null,
    email          text not null,
    phone          text not null,
    webhook_url    text not null,
    webhook_secret text not null,
    zone           text not null,        -- of the times that they read; '': UTC
    updated_at     timestamptz not null default now(),
    primary key (store, team)
);

-- The buyer was erased: nothing is sent, though the order goes on.
alter table contacts add column erased_at timestamptz;
create index orders_customer on orders (store, customer_ref);

---- create above / drop below ----

drop index orders_customer;
alter table contacts drop column erased_at;
drop table teams, preferences;
