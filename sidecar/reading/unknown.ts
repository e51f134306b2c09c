// What is not known: one type for it, wherever it comes from and whoever asks.

/** What cannot be known now; `reason` says why, in half a sentence for people, with the cure where there is one. */
export interface Unknown {
  readonly kind: 'unknown'
  readonly reason: string
}

export function isUnknown(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'unknown'
}

export function unknown(reason: string): Unknown {
  return { kind: 'unknown', reason }
}
