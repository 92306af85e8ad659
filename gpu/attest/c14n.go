package attest

import (
	"cmp"
	"slices"
	"strings"
)

// canonical writes an element as Canonical XML 1.1 without comments (https://www.w3.org/TR/xml-c14n11/), leaving out one
// element below it (nil: none). Versions 1.0 and 1.1 differ in xml: attributes only, which the parser refuses. What the
// parser lets through needs no escapes but one.
func canonical(n, omit *node) []byte {
	var b strings.Builder
	writeCanonical(&b, n, omit, nil)
	return []byte(b.String())
}

// writeCanonical writes an element whose nearest written ancestor has the namespaces in outer.
func writeCanonical(b *strings.Builder, n, omit *node, outer []binding) {
	name := qualified(n.prefix, n.local)
	b.WriteString("<" + name)
	for _, s := range n.scope { // by prefix, the default namespace first
		if space, ok := lookup(outer, s.prefix); ok && space == s.space {
			continue
		}
		if s.prefix == "" {
			b.WriteString(` xmlns="` + escapeValue(s.space) + `"`)
		} else {
			b.WriteString(" xmlns:" + s.prefix + `="` + escapeValue(s.space) + `"`)
		}
	}
	sorted := slices.SortedFunc(slices.Values(n.attrs), func(x, y attr) int {
		return cmp.Or(cmp.Compare(x.space, y.space), cmp.Compare(x.local, y.local))
	})
	for _, a := range sorted {
		b.WriteString(" " + qualified(a.prefix, a.local) + `="` + escapeValue(a.value) + `"`)
	}
	b.WriteString(">")
	for _, k := range n.kids {
		switch {
		case k == omit:
		case k.local == "":
			b.WriteString(strings.ReplaceAll(k.text, ">", "&gt;")) // '<', '&' and carriage returns cannot be here
		default:
			writeCanonical(b, k, omit, n.scope)
		}
	}
	b.WriteString("</" + name + ">")
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// escapeValue escapes the only character of a value that could be there and must not: values in ' quotes may have ".
func escapeValue(s string) string { return strings.ReplaceAll(s, `"`, "&quot;") }
