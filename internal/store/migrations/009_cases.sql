-- The open cases of all orders: the work list. Closed ones are happenings.
create table cases (
    order_id   text not null,
    kind       text not null,
    parcel     text not null,            -- '': the order as a whole
    store      text not null,
    id         text not null,            -- of this episode; '' under older rules
    owner      text not null,
    severity   text not null,
    level      int  not null,            -- times escalated
    assignee   text not null,
    opened_at  timestamptz not null,
    due        timestamptz not null,
    noticed_at timestamptz,              -- the buyer was told
    body       text not null,
    primary key (order_id, kind, parcel)
);
-- The list in the order of its pages, and the filters that leave little of it.
create index cases_due      on cases (due, order_id, kind, parcel);
create index cases_owner    on cases (owner, due, order_id, kind, parcel);
create index cases_kind     on cases (kind, due, order_id, kind, parcel);
create index cases_store    on cases (store, due, order_id, kind, parcel);
create index cases_assignee on cases (assignee, due, order_id, kind, parcel) where assignee <> '';

insert into cases
select o.id, c->>'kind', coalesce(c->>'parcel', ''), o.store, coalesce(c->>'id', ''), c->>'owner', coalesce(c->>'severity', ''), coalesce((c->>'level')::int, 0),
    coalesce(c->>'assignee', ''), (c->>'opened_at')::timestamptz, (c->>'due')::timestamptz, (c->>'noticed_at')::timestamptz, coalesce(c->>'text', '')
from orders o, json_array_elements(o.state->'cases') c where o.open_cases <> '{}'
on conflict do nothing;

-- Where refunds and replacements are asked for. The secret is named, not kept.
alter table stores add column webhook_url    text not null default '';
alter table stores add column webhook_secret text not null default '';

-- Ending an audit row must not change who asked for what either.
create trigger audit_begun before update on audit for each row
    when ((old.id, old.order_id, old.action, old.actor, old.role, old.reason, old.request, old.created_at)
        is distinct from (new.id, new.order_id, new.action, new.actor, new.role, new.reason, new.request, new.created_at))
    execute function is_history();

---- create above / drop below ----

drop trigger audit_begun on audit;
alter table stores drop column webhook_url, drop column webhook_secret;
drop table cases;
