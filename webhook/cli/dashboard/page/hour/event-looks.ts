// How each kind of event looks, in the chart and in the list (sidecar/explaining/last-hour.ts). Pure.

export interface EventLook {
  readonly sign: string
  readonly words: string
  /** Whether the chart has a line for it. Sizes have their own, and follow drains. */
  readonly hasLine: boolean
}

export const EVENT_LOOKS: ReadonlyMap<string, EventLook> = new Map([
  ['start', { sign: '▸', words: 'start', hasLine: true }],
  ['size', { sign: '↕', words: 'size', hasLine: false }],
  ['drain', { sign: '▾', words: 'drain', hasLine: false }],
  ['error', { sign: '✕', words: 'error', hasLine: true }],
  ['recovered', { sign: '✓', words: 'recovered', hasLine: true }],
])

export const OTHER_EVENT: EventLook = { sign: '•', words: 'event', hasLine: true }
