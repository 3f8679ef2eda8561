// Package report logs what a caller is not told: that a flag or a config value could not be read and the default was used
// instead. It says each thing once a minute, because such values are read with every request. It knows no noun.
package report
