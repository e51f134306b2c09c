// What each state of a rank is called, in a terminal and on the page (sidecar/explaining/rank-states.ts says what they mean). Pure.

/** In the order of legends. A later release of the sidecar may have more states. */
export const RANK_WORDS: ReadonlyMap<string, string> = new Map([
  ['busy', 'busy'],
  ['free', 'free'],
  ['draining', 'draining'],
  ['leaving', 'drained to leave'],
  ['coming', 'not up yet'],
  ['drained busy', 'drained by others, busy'],
  ['drained', 'drained by others'],
  ['torpid', 'does not answer'],
  ['closed', 'closed by the scheduler'],
  ['lost', 'given up'],
  ['bursted', 'of another cluster'],
  ['absent', 'not wanted'],
])
