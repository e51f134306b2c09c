// Random idsets, hostlists and R for fast-check, each with the plain collection that it represents.
import fc from 'fast-check'

/** Ids as a plain set. The ids are small, so that two sets often share some. */
export const arbitraryIds = fc.uniqueArray(fc.nat(40), { maxLength: 20 }).map((ids) => new Set(ids))

/** The text of a set of ids, with consecutive ids joined to ranges. Independent of the formatter under test. */
export function idsToText(ids: ReadonlySet<number>): string {
  const parts: string[] = []
  const ascending = [...ids].sort((a, b) => a - b)
  let first: number | undefined
  for (const id of ascending) {
    first ??= id
    if (ids.has(id + 1)) continue
    parts.push(first === id ? `${id}` : `${first}-${id}`)
    first = undefined
  }
  return parts.join(',')
}

const arbitraryName = fc.string({
  unit: fc.constantFrom('a', 'z', '0', '7', '-', '.'),
  maxLength: 6,
})

const arbitraryRange = fc
  .tuple(fc.nat(150), fc.integer({ min: 0, max: 30 }))
  .map(([first, more]) => ({ first, last: first + more }))

/** One expression of a hostlist without leading zeros, with its hosts. */
const arbitraryExpression = fc
  .record({
    prefix: arbitraryName,
    ranges: fc.array(arbitraryRange, { maxLength: 4 }),
    suffix: arbitraryName,
  })
  .map(({ prefix, ranges, suffix }) => {
    const name = `${prefix}${suffix}`
    if (ranges.length === 0) return { text: name, hosts: name === '' ? [] : [name] }
    const ids = ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`))
    const hosts = ranges.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}${suffix}`),
    )
    return { text: `${prefix}[${ids.join(',')}]${suffix}`, hosts }
  })

/** A hostlist and its hosts in order. */
export const arbitraryHostlist = fc.array(arbitraryExpression, { maxLength: 5 }).map((parts) => ({
  text: parts.map(({ text }) => text).join(','),
  hosts: parts.flatMap(({ hosts }) => hosts),
}))

/** R with entries in any order. They may overlap in ranks and children. */
export const arbitraryR = fc
  .array(
    fc.record({
      rank: arbitraryIds.map(idsToText),
      children: fc.record(
        { core: arbitraryIds.map(idsToText), gpu: arbitraryIds.map(idsToText) },
        { requiredKeys: [] },
      ),
    }),
    { maxLength: 8 },
  )
  .map((entries) => ({ version: 1, execution: { R_lite: entries } }))
