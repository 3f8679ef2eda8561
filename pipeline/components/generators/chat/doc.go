// Package chat holds the components of haystack.components.generators.chat: they talk to models.
package chat
