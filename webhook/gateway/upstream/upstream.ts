// The adapter that served a group before us, as the other rooms of the gateway see it: types only.
import type { Context } from 'koa'

/** Answers what is not about MiniClusters. One for each group that has an adapter. */
export interface Upstream {
  /**
   * Passes a request to the adapter as it was received, and its answer back as it comes. The caller has found that the request
   * is in the group of this adapter, with method GET, and not ours.
   *
   * @throws StatusError 503 while the adapter cannot be asked
   */
  forward(ctx: Context): Promise<void>
}
