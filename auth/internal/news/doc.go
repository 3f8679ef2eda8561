// Package news tells the rooms of this wing what other processes on the same database wrote. It knows no room: who keeps
// something in memory gives the topic, its own name and a way to read everything again.
package news
