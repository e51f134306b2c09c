// Reads a sidecar's page of Prometheus metrics, as prom-client writes it, and says whose each sample is. A sidecar is not
// trusted: what is not exactly a present value of its own MiniCluster is dropped and counted, line by line. Pure.
import { copyOf, shorten } from '#serving/text.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import { KnownLines } from './known-lines.ts'

/** A MiniCluster with 20 queues has 20 KB. */
const MAX_CHARACTERS = 256 * 2 ** 10

const MAX_SAMPLES = 2_000

const MAX_LINE = 2_000

const MAX_HELP = 500

const NAME = '[a-z][a-z0-9_]{0,99}'
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\\\p{Cc}]|\\\\[\\\\n])+)$`, 'u')
const TYPE = new RegExp(`^# TYPE (${NAME}) ([a-z]{1,20})$`)
const SERIES = new RegExp(`^(${NAME})(?:\\{(.+)\\})?$`)
const VALUE = /^-?\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\\p{Cc}]|\\[\\"n])*"(?:,(?!$)|$)/uy

/** Of the sidecar's process, and of no use for all MiniClusters: left out without a count. */
const PROCESS = /^(?:process|nodejs|http)_/

/** Of the gateway, the webhook and Prometheus itself: no sidecar has them. */
const FOREIGN = /^(?:flux_gateway_|flux_metrics_|scrape_|up$)/

/** Labels that say whose a sample is. */
const IDENTITY_LABELS = ['namespace', 'minicluster']

export type FamilyType = 'gauge' | 'counter'

/** The samples of one name. */
export interface Family {
  /** Escaped, as on the page; empty if there is none. */
  readonly help: string
  /** Whole lines, each with the labels of its MiniCluster. */
  readonly samples: string
}

export interface Page {
  readonly families: ReadonlyMap<string, Family>
  /** How much memory the families take. */
  readonly bytes: number
  /** How many lines were dropped. */
  readonly dropped: number
}

/** The type of a family follows from its name, so that all sidecars agree on it, whatever one of them says. */
export function typeOf(name: string): FamilyType {
  return name.startsWith('flux_') && name.endsWith('_total') ? 'counter' : 'gauge'
}

/** A sample without its value. */
interface Series {
  /** Empty for what is no sample. */
  readonly name: string
  /** The same for the same labels in any order; `undefined` if one is wrong. */
  readonly key: string | undefined
  /** What follows the labels of the MiniCluster. */
  readonly labels: string
}

/** A line of HELP or TYPE. */
interface Description {
  /** Empty for a line that is neither. */
  readonly name: string
  readonly text: string
}

/** What many pages have in common. One for all of them saves most of the work and of the memory. */
export class PageLines {
  readonly series = new KnownLines<Series>(readSeries)
  readonly helps = new KnownLines<Description>((line) => {
    const [, name = '', help = ''] = HELP.exec(line) ?? []
    return { name: copyOf(name), text: copyOf(shortenHelp(help)) }
  })
  readonly types = new KnownLines<Description>((line) => {
    const [, name = '', type = ''] = TYPE.exec(line) ?? []
    return { name: copyOf(name), text: copyOf(type) }
  })
}

/** @returns `undefined` if the page is too long: a part of it would give wrong sums */
export function readPage(
  text: string,
  name: MiniClusterName,
  lines = new PageLines(),
): Page | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const reader = new PageReader(name, lines)
  for (const line of text.split('\n')) {
    reader.read(line)
    if (reader.samples > MAX_SAMPLES) return undefined
  }
  return reader.page()
}

class PageReader {
  samples = 0
  #dropped = 0
  readonly #lines: PageLines
  readonly #owner: string
  readonly #helps = new Map<string, string>()
  /** The lines of each family that has a type, by their labels. */
  readonly #families = new Map<string, Map<string, string>>()
  /** Names of the samples of histograms and summaries. */
  readonly #distributions = new Set<string>()

  constructor({ namespace, minicluster }: MiniClusterName, lines: PageLines) {
    this.#lines = lines
    this.#owner = `namespace="${escaped(namespace)}",minicluster="${escaped(minicluster)}"`
  }

  read(line: string): void {
    if (line === '') return
    const isTaken = line.length <= MAX_LINE && this.#take(line)
    if (!isTaken) this.#dropped += 1
  }

  page(): Page {
    const families = new Map<string, Family>()
    let bytes = 0
    for (const [name, lines] of this.#families) {
      if (lines.size === 0) continue
      const help = this.#helps.get(name) ?? ''
      const samples = copyOf(`${[...lines.values()].join('\n')}\n`)
      families.set(name, { help, samples })
      bytes += Buffer.byteLength(samples) + help.length
    }
    return { families, bytes, dropped: this.#dropped }
  }

  #take(line: string): boolean {
    if (!line.startsWith('#')) return this.#takeSample(line)
    if (line.startsWith('# HELP ')) return this.#takeHelp(line)
    return !line.startsWith('# TYPE ') || this.#takeType(line)
  }

  #takeHelp(line: string): boolean {
    const { name, text } = this.#lines.helps.get(line)
    if (name === '' || this.#helps.has(name)) return false
    this.#helps.set(name, text)
    return true
  }

  #takeType(line: string): boolean {
    const { name, text: type } = this.#lines.types.get(line)
    if (name === '' || FOREIGN.test(name)) return false
    if (PROCESS.test(name)) return true
    if (this.#families.has(name)) return false
    if (type === 'histogram' || type === 'summary') {
      for (const suffix of ['', '_bucket', '_sum', '_count']) this.#distributions.add(name + suffix)
      return true
    }
    if (type !== typeOf(name)) return false
    this.#families.set(name, new Map())
    return true
  }

  #takeSample(line: string): boolean {
    // No value has a space.
    const end = line.lastIndexOf(' ')
    const value = line.slice(end + 1)
    if (end < 0 || !VALUE.test(value) || !Number.isFinite(Number(value))) return false
    const { name, key, labels } = this.#lines.series.get(line.slice(0, end))
    if (name === '') return false
    if (PROCESS.test(name)) return true
    const lines = this.#families.get(name)
    if (lines === undefined) return this.#distributions.has(name)
    if (key === undefined || lines.has(key)) return false
    this.samples += 1
    lines.set(key, `${name}{${this.#owner}${labels}} ${value}`)
    return true
  }
}

/** @param line a sample without its value */
function readSeries(line: string): Series {
  const [, name = '', labels = ''] = SERIES.exec(line) ?? []
  return {
    name: copyOf(name),
    key: readLabels(labels),
    labels: labels === '' ? '' : copyOf(`,${labels}`),
  }
}

/** @returns the same text for the same labels in any order; `undefined` if one is wrong */
function readLabels(text: string): string | undefined {
  const labels = new Map<string, string>()
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const [label, name] = LABEL.exec(text) ?? []
    if (label === undefined || name === undefined || labels.has(name)) return undefined
    if (name.startsWith('__') || IDENTITY_LABELS.includes(name)) return undefined
    labels.set(name, label.replace(/,$/, ''))
  }
  return [...labels.values()].sort().join()
}

function shortenHelp(help: string): string {
  // A cut may leave half an escape sequence at the end.
  return help.length > MAX_HELP
    ? shorten(help, { characters: MAX_HELP }).replace(/\\+…$/, '…')
    : help
}

/** The value of a label, as the text format has it. */
function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}
