// The ranks of a MiniCluster as a strip of characters, each with its own shape, so that it reads without colour. Pure.
import { spellRanks } from '#explaining/wording.ts'
import { highestId, parseIdset } from '#flux/sets/idset.ts'
import { paint, type Style } from '../output/style.ts'

interface Look {
  readonly mark: string
  readonly style: Style
  /** In the legend. */
  readonly words: string
}

/** By state (sidecar/explaining/rank-states.ts), in the order of the legend. */
const LOOKS: ReadonlyMap<string, Look> = new Map([
  ['busy', { mark: '█', style: 'green', words: 'busy' }],
  ['free', { mark: '░', style: 'green', words: 'free' }],
  ['draining', { mark: '▓', style: 'yellow', words: 'draining' }],
  ['leaving', { mark: '▒', style: 'yellow', words: 'drained to leave' }],
  ['coming', { mark: '+', style: 'cyan', words: 'not up yet' }],
  ['drained busy', { mark: 'D', style: 'red', words: 'drained by others, busy' }],
  ['drained', { mark: 'd', style: 'red', words: 'drained by others' }],
  ['torpid', { mark: 't', style: 'red', words: 'does not answer' }],
  ['closed', { mark: 'c', style: 'red', words: 'closed by the scheduler' }],
  ['lost', { mark: 'x', style: 'red', words: 'given up' }],
  ['bursted', { mark: 'b', style: 'dim', words: 'of another cluster' }],
  ['absent', { mark: '·', style: 'dim', words: 'not wanted' }],
])

const UNKNOWN_LOOK: Omit<Look, 'words'> = { mark: '?', style: 'red' }

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
  const order = [...LOOKS.keys()]
  const placeOf = (state: string) => (LOOKS.has(state) ? order.indexOf(state) : order.length)
  return [...states]
    .sort((a, b) => placeOf(a.state) - placeOf(b.state))
    .map(({ state, ranks }) => {
      const { mark } = LOOKS.get(state) ?? UNKNOWN_LOOK
      return `${mark} ${LOOKS.get(state)?.words ?? state}: ${spellRanks(parseIdset(ranks))}`
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

function lookOf(state: string | undefined): Pick<Look, 'mark' | 'style'> {
  if (state === undefined) return { mark: ' ', style: 'dim' }
  return LOOKS.get(state) ?? UNKNOWN_LOOK
}
