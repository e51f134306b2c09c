// Reads a sidecar's page of Prometheus metrics, as prom-client writes it, and says whose each sample is. A sidecar is not
// trusted: what is not exactly a present value of its own MiniCluster is dropped and counted, line by line. Pure.
import { copyOf, shorten } from '#serving/text.ts'
import type { MiniClusterName } from '../peers/peer.ts'

/** A MiniCluster with 20 queues has 20 KB. */
const MAX_CHARACTERS = 256 * 2 ** 10

const MAX_SAMPLES = 2_000

const MAX_LINE = 2_000

const MAX_HELP = 500

const NAME = '[a-z][a-z0-9_]{0,99}'
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\\\p{Cc}]|\\\\[\\\\n])+)$`, 'u')
const TYPE = new RegExp(`^# TYPE (${NAME}) ([a-z]{1,20})$`)
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(.+)\\})? (-?\\d{1,30}(?:\\.\\d{1,30})?(?:e[+-]?\\d{1,3})?)$`,
)
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

/** @returns `undefined` if the page is too long: a part of it would give wrong sums */
export function readPage(text: string, name: MiniClusterName): Page | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const reader = new PageReader(name)
  for (const line of text.split('\n')) {
    reader.read(line)
    if (reader.samples > MAX_SAMPLES) return undefined
  }
  return reader.page()
}

class PageReader {
  samples = 0
  #dropped = 0
  readonly #owner: string
  readonly #helps = new Map<string, string>()
  /** The lines of each family that has a type, by their labels. */
  readonly #families = new Map<string, Map<string, string>>()
  /** Names of the samples of histograms and summaries. */
  readonly #distributions = new Set<string>()

  constructor({ namespace, minicluster }: MiniClusterName) {
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
      const help = shortenHelp(this.#helps.get(name) ?? '')
      const samples = copyOf(`${[...lines.values()].join('\n')}\n`)
      families.set(copyOf(name), { help: copyOf(help), samples })
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
    const [, name, help] = HELP.exec(line) ?? []
    if (name === undefined || help === undefined || this.#helps.has(name)) return false
    this.#helps.set(name, help)
    return true
  }

  #takeType(line: string): boolean {
    const [, name, type] = TYPE.exec(line) ?? []
    if (name === undefined || FOREIGN.test(name)) return false
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
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    if (name === undefined || !Number.isFinite(Number(value))) return false
    if (PROCESS.test(name)) return true
    const lines = this.#families.get(name)
    if (lines === undefined) return this.#distributions.has(name)
    const key = readLabels(labels)
    if (key === undefined || lines.has(key)) return false
    this.samples += 1
    lines.set(key, `${name}{${this.#owner}${labels === '' ? '' : `,${labels}`}} ${value}`)
    return true
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
