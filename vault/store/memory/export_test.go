package memory

// Dump shows a test every row there is.
func Dump(s *Store, show func(row any)) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	show(s.data.root)
	show(s.data.keys)
	show(s.data.secrets)
	show(s.data.versions)
	show(s.data.audit)
	show(s.data.flags)
	show(s.data.flagOverrides)
	show(s.data.flagSegments)
	show(s.data.flagVersions)
	show(s.data.configs)
	show(s.data.configVersions)
	show(s.data.rotation)
	return nil
}
