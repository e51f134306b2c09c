// The catalog of metrics as a table for docs/reference/METRICS.md.
import { BUILTIN_METRICS } from '#metrics/catalog.ts'

/** A Markdown table of all metrics, without a final newline. */
export function catalogTable(): string {
  const rows = BUILTIN_METRICS.map(({ name, unit, labels, help }) => {
    const metricLabels = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${unit} | ${metricLabels} | ${help} |`
  })
  return ['| metric | unit | labels | definition |', '|---|---|---|---|', ...rows].join('\n')
}
