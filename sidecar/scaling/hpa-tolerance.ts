// Which changes of size an HPA with the default tolerance ignores, and the next size that it does not ignore. Pure.

/** The default of `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1

/** Whether an HPA with the default tolerance keeps `present` replicas if `wanted` are wanted (AverageValue). */
export function isWithinTolerance(wanted: number, present: number): boolean {
  const ratio = wanted / present
  return 1 - TOLERANCE <= ratio && ratio <= 1 + TOLERANCE
}

/**
 * The wanted size; if an HPA with the default tolerance would ignore this growth, the next size that it does not ignore. The
 * result may be more than R has. Only the HPA's maxReplicas limits it: limited here, it could be ignored again.
 *
 * @param present the number of live ranks
 */
export function compensatedSize(wanted: number, present: number): number {
  const isIgnored = wanted > present && isWithinTolerance(wanted, present)
  return isIgnored ? Math.floor(present * (1 + TOLERANCE)) + 1 : wanted
}
