-- What guards the read model against going backwards, as a column of its own:
-- taking it out of the state unpacked the state at every write. And the state
-- as text: nobody searches in it.
alter table orders add column clock timestamptz;
update orders set clock = (state->>'now')::timestamptz where state is not null;
alter table orders alter column state type json using state::json;

---- create above / drop below ----

alter table orders alter column state type jsonb using state::jsonb;
alter table orders drop column clock;
