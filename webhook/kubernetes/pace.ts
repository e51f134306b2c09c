// How often the webhook looks at what others may change.

/** What is changed is repaired or taken over within 10 s: the interval, and the time that a look takes. */
export const POLL_PACE = { intervalMs: 5_000, pauseCapMs: 10_000 } as const
