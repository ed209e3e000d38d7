-- No copy leaves without a second person's word: nothing in it is masked, and others are in the picture.
-- NOT VALID: exports that were ready before this stay as they are, and wait for approval when they are touched.
SET search_path = tallenne;

ALTER TABLE footage_export ADD CONSTRAINT footage_export_two_persons
    CHECK (approved_by IS NOT NULL OR state IN ('approval', 'failed')) NOT VALID;
