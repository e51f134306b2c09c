// What came of asking for something: the text, or why there is none.

export type Answer =
  | { readonly kind: 'text'; readonly text: string }
  /** `reason` is for people, whole sentences. */
  | { readonly kind: 'failure'; readonly reason: string }
