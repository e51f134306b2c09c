// A strict reader of Prometheus' text format (version 0.0.4), character by character: what it takes, any Prometheus takes.
import assert from 'node:assert/strict'

export interface ReadSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly type: string
  readonly help: string | undefined
  readonly samples: readonly ReadSample[]
}

/** @throws AssertionError for anything that the format does not allow, doubtful things included */
export function readExposition(text: string): ReadonlyMap<string, ReadFamily> {
  const families = new Map<string, ReadFamily & { samples: ReadSample[] }>()
  if (text === '') return families
  assert.ok(text.endsWith('\n'), 'the last line has no end')
  let help: { readonly name: string; readonly text: string } | undefined
  let current: { readonly name: string; readonly family: { samples: ReadSample[] } } | undefined
  const series = new Set<string>()
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, described, rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/u.exec(line) ?? []
    if (keyword === 'HELP') {
      assert.ok(help === undefined && described !== undefined, line)
      help = { name: described, text: unescaped(rest, 'n\\') }
    } else if (keyword === 'TYPE') {
      assert.ok(described !== undefined && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(described), line)
      assert.ok(!families.has(described), `two groups: ${line}`)
      assert.ok(['gauge', 'counter'].includes(rest), line)
      assert.equal(help?.name ?? described, described)
      const family = { type: rest, help: help?.text, samples: [] }
      families.set(described, family)
      current = { name: described, family }
      help = undefined
    } else {
      assert.equal(help, undefined, `HELP without TYPE before: ${line}`)
      const { name, sample } = readSample(line)
      assert.equal(name, current?.name, `not in its group: ${line}`)
      const key = JSON.stringify([name, Object.entries(sample.labels).sort()])
      assert.ok(!series.has(key), `twice: ${line}`)
      series.add(key)
      current?.family.samples.push(sample)
    }
  }
  assert.equal(help, undefined)
  return families
}

function readSample(line: string): { readonly name: string; readonly sample: ReadSample } {
  let at = 0
  const take = (pattern: RegExp): string => {
    const [found] = pattern.exec(line.slice(at)) ?? []
    assert.ok(found !== undefined, `expected ${pattern} at ${at}: ${line}`)
    at += found.length
    return found
  }
  const name = take(/^[a-zA-Z_:][a-zA-Z0-9_:]*/)
  const labels: Record<string, string> = {}
  if (line[at] === '{') {
    for (let next = take(/^\{/); next !== '}'; next = take(/^[,}]/)) {
      const label = take(/^[a-zA-Z_][a-zA-Z0-9_]*/)
      assert.ok(!(label in labels), `label twice: ${line}`)
      take(/^="/)
      labels[label] = unescaped(take(/^(?:\\.|[^"\\])*/u), 'n\\"')
      take(/^"/)
    }
  }
  take(/^ /)
  const value = Number(take(/^[-+.0-9e]+$/))
  assert.ok(Number.isFinite(value), line)
  return { name, sample: { labels, value } }
}

function unescaped(text: string, allowed: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f]/)
  return text.replace(/\\(.?)/gu, (_, escaped: string) => {
    assert.ok(escaped !== '' && allowed.includes(escaped), `wrong escape in ${text}`)
    return escaped === 'n' ? '\n' : escaped
  })
}
