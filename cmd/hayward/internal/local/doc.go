// Package local runs pipeline files in this process, for their author on his own machine: no server, no tenants, secrets
// from the environment, local files allowed, every address reachable. It is what Python's Pipeline.run does for a file.
//
// Document stores named in the files are shared between the files of one session, so that a file that asks finds what a
// file that indexes wrote; they end with the process. What a server may do with a pipeline is in host, not here.
package local
