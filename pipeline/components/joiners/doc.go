// Package joiners holds the components of haystack.components.joiners: they bring branches of a pipeline together.
package joiners
