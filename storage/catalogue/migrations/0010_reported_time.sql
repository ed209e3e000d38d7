-- What a controller's clock said, where an event is placed otherwise: nothing arrives before it happens. And events of
-- uncertain time are found by when they arrived, too.
ALTER TABLE tallenne.access_event ADD COLUMN reported_ns bigint;
CREATE INDEX access_event_uncertain ON tallenne.access_event (site_id, received_ns) WHERE uncertain;
