// The ranks of a MiniCluster as a strip of characters, each with its own shape, so that it reads without colour. Pure.
import { spellRanks } from '#explaining/wording.ts'
import { highestId, parseIdset } from '#flux/sets/idset.ts'
import { RANK_WORDS } from '../output/rank-words.ts'
import { paint, type Style } from '../output/style.ts'

interface Look {
  readonly mark: string
  readonly style: Style
}

/** By state (sidecar/explaining/rank-states.ts). */
const LOOKS: ReadonlyMap<string, Look> = new Map([
  ['busy', { mark: '█', style: 'green' }],
  ['free', { mark: '░', style: 'green' }],
  ['draining', { mark: '▓', style: 'yellow' }],
  ['leaving', { mark: '▒', style: 'yellow' }],
  ['coming', { mark: '+', style: 'cyan' }],
  ['drained busy', { mark: 'D', style: 'red' }],
  ['drained', { mark: 'd', style: 'red' }],
  ['torpid', { mark: 't', style: 'red' }],
  ['closed', { mark: 'c', style: 'red' }],
  ['lost', { mark: 'x', style: 'red' }],
  ['bursted', { mark: 'b', style: 'dim' }],
  ['absent', { mark: '·', style: 'dim' }],
])

const UNKNOWN_LOOK: Look = { mark: '?', style: 'red' }

export interface StripOptions {
  readonly columns: number
  readonly hasColor: boolean
  /** Longer strips are cut: the legend has all ranks. */
  readonly maxLines: number
}

interface RanksInState {
  readonly state: string
  /** An idset (RFC 22). */
  readonly ranks: string
}

/** The strip, rank 0 first, in lines that fit. */
export function drawStrip(
  states: readonly RanksInState[],
  options: StripOptions,
): readonly string[] {
  const { columns, hasColor, maxLines } = options
  const stateOf = new Map<number, string>()
  let size = 0
  const room = columns * maxLines
  for (const { state, ranks } of states) {
    const ids = parseIdset(ranks)
    size = Math.max(size, 1 + (highestId(ids) ?? -1))
    for (const { first, last } of ids.ranges) {
      for (let rank = first; rank <= Math.min(last, room); rank += 1) stateOf.set(rank, state)
    }
  }
  const shown = Math.min(size, room)
  const lines: string[] = []
  for (let from = 0; from < shown; from += columns) {
    const ranks = Array.from({ length: Math.min(columns, shown - from) }, (_, i) => from + i)
    lines.push(
      paintRuns(
        ranks.map((rank) => stateOf.get(rank)),
        hasColor,
      ),
    )
  }
  return size > shown ? [...lines, `… ${size - shown} more ranks`] : lines
}

/** `█ busy: ranks 0-6`, one for each state that occurs. */
export function describeStates(states: readonly RanksInState[]): readonly string[] {
  const order = [...RANK_WORDS.keys()]
  const placeOf = (state: string) => (RANK_WORDS.has(state) ? order.indexOf(state) : order.length)
  return [...states]
    .sort((a, b) => placeOf(a.state) - placeOf(b.state))
    .map(({ state, ranks }) => {
      const { mark } = lookOf(state)
      return `${mark} ${RANK_WORDS.get(state) ?? state}: ${spellRanks(parseIdset(ranks))}`
    })
}

function paintRuns(states: readonly (string | undefined)[], hasColor: boolean): string {
  let text = ''
  let run = ''
  let before: string | undefined
  const flush = () => {
    const { style } = lookOf(before)
    text += run === '' ? '' : paint(run, style, hasColor)
    run = ''
  }
  for (const state of states) {
    if (state !== before) flush()
    before = state
    run += lookOf(state).mark
  }
  flush()
  return text
}

function lookOf(state: string | undefined): Look {
  if (state === undefined) return { mark: ' ', style: 'dim' }
  return LOOKS.get(state) ?? UNKNOWN_LOOK
}
