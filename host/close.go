package host

// Close ends listening to the database.
func (h *Host) Close() { h.catalogue.Close() }
