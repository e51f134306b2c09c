// The histogram of requests by route and code, for the Prometheus metrics of a server.
import { Histogram, type Registry } from 'prom-client'

/** An answer from memory takes a fraction of a millisecond; a slower one waited for the event loop, or for another server. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5]

/** @param route the pattern that matched, never a path, because it becomes a label value */
export type RequestObserver = (route: string, code: number, seconds: number) => void

/** Keeps one bound observer for each route and code, because binding costs as much as observing. */
export function requestObserver(registry: Registry): RequestObserver {
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to its answer, by route and status code',
    labelNames: ['route', 'code'],
    buckets: BUCKETS,
    registers: [registry],
  })
  type Observer = (seconds: number) => void
  const routes = new Map<string, Map<number, Observer>>()
  const bind = (route: string, code: number, codes: Map<number, Observer>): Observer => {
    const { observe } = durations.labels({ route, code: String(code) })
    routes.set(route, codes.set(code, observe))
    return observe
  }
  return (route, code, seconds) => {
    const codes = routes.get(route) ?? new Map<number, Observer>()
    const observe = codes.get(code) ?? bind(route, code, codes)
    observe(seconds)
  }
}
