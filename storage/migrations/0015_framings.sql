-- What a training keeps of a photo, as JSON.
ALTER TABLE photos ADD COLUMN found_framing TEXT; -- by the darkroom, NULL until it has looked
ALTER TABLE photos ADD COLUMN chosen_framing TEXT; -- by the member, NULL for what was found
