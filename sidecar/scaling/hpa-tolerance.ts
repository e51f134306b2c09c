// What an HPA of the default tolerance ignores, and a size that it does not. Pure.

/** The default of `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1

/** Whether an HPA of the default tolerance, with `present` replicas, ignores that `wanted` are wanted (AverageValue). */
export function isWithinTolerance(wanted: number, present: number): boolean {
  const ratio = wanted / present
  return 1 - TOLERANCE <= ratio && ratio <= 1 + TOLERANCE
}

/**
 * A size that an HPA of the default tolerance does not ignore: where the wanted one is more than the present one, but
 * within the tolerance, the first beyond it. It never shrinks anything. It may be more than R has, which the HPA's
 * maxReplicas is for: clamped to that it could be ignored again.
 *
 * @param present ranks that are there now
 */
export function compensatedSize(wanted: number, present: number): number {
  const isIgnored = wanted > present && isWithinTolerance(wanted, present)
  return isIgnored ? Math.floor(present * (1 + TOLERANCE)) + 1 : wanted
}
