-- Providers that tell of every message that they take (SendGrid's events): a message
-- of which nothing is heard was not taken, once those around it were heard of.
alter table messages
    add column stream text not null default '', -- whose events tell of the last attempt; '': no complete ones
    add column answered_at timestamptz,         -- the provider answered the last attempt: it has it
    add column heard_at    timestamptz,         -- the event that it tells of every message came
    add column twice_at    timestamptz;         -- it is known that the buyer got it twice
create index messages_answered on messages (stream, attempted_at) where stream <> '' and answered_at is not null;                    -- the neighbours of an attempt
create index messages_silent on messages (stream, attempted_at) where stream <> '' and answered_at is not null and heard_at is null; -- events that are to come

create index messages_heard on messages (stream, heard_at) where stream <> '' and heard_at is not null;                               -- when events came in

alter table message_events add column provider_id text not null default ''; -- two of one message: it was taken twice

---- create above / drop below ----

alter table message_events drop column provider_id;
drop index messages_heard, messages_silent, messages_answered;
alter table messages drop column twice_at, drop column heard_at, drop column answered_at, drop column stream;
