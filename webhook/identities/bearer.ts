// Who shows a token: types only. bearer-check.ts finds out.

/** The pod that shows a token, after all checks. Its kind decides which names it may have. */
export type Bearer = SidecarBearer | GatewayBearer

/** The lead broker of a MiniCluster. */
export interface SidecarBearer {
  readonly client: 'sidecar'
  readonly namespace: string
  readonly pod: string
  readonly minicluster: string
}

/** A replica of the gateway. */
export interface GatewayBearer {
  readonly client: 'gateway'
  /** The webhook's own. */
  readonly namespace: string
  readonly pod: string
}

/** What is known of who asked, for the log. */
export type Claimed = Partial<Bearer>
