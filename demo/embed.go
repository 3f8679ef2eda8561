package demo

import "embed"

// FS holds pipelines/*.yml and docs/*.html.
//
//go:embed pipelines/*.yml docs/*.html
var FS embed.FS
