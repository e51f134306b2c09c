// The answer of a server that a command asks: types only.

/** The answer to a request: its text, or why there is none. */
export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** `reason` is shown to the user. */
  | { readonly kind: 'failure'; readonly reason: string }
