// The one type for a value that is not known, in every room.

/**
 * A value that cannot be known now. `reason` says why, in half a sentence for people; it also says what to do, if anything
 * helps.
 */
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
