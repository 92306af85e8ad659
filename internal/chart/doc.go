// Package chart writes small plots as SVG: lines, bands, stacked areas, and bars of sensitivity.
//
// A value is a whole number with a count of decimal places, as in a ledger, and every coordinate in the file is a whole
// number of tenths of a pixel worked out in integers: the same chart is the same bytes on every machine. The picture is
// 900 pixels wide, and carries its own style: colours that the colour-blind can tell apart (Okabe and Ito), for light and
// dark backgrounds. The legend stands above the plot and never covers it. Text is escaped; a title and a description are
// there for whoever cannot see the picture.
//
// It lays out nothing else: no dates but what the caller writes at the ticks, no interaction, no fonts of its own. Widths
// of text are estimated.
package chart
