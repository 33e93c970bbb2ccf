-- Whoever goes through all open orders, as a change of policy does, page by page.
create index orders_open on orders (id) where not closed;

---- create above / drop below ----

drop index orders_open;
