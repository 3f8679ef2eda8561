// Package reveal is the one way to read a sealed value. Who imports it is a published list with a reason per importer
// (see the import-direction test); a line that calls it is a line to read twice.
package reveal
