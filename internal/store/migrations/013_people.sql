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

-- The buyer was erased: nothing is sent, though the order goes on.
alter table contacts add column erased_at timestamptz;
create index orders_customer on orders (store, customer_ref);

---- create above / drop below ----

drop index orders_customer;
alter table contacts drop column erased_at;
drop table preferences;
