// A CA bundle by which API servers verify a server that they call. The same for webhook and gateway. Pure.
import type { InstallationFacts } from '../facts/facts.ts'
import { knownOf } from '../facts/reading.ts'
import { WEBHOOK } from '../facts/webhook-facts.ts'
import { type Code, type Finding, finding } from '../finding.ts'
import { type BundleProblem, problemOfBundle } from './certificates.ts'

/** A bundle, and the object that has it. */
interface Bundle {
  readonly subject: string
  /** For kubectl: `apiservice NAME`. */
  readonly object: string
  /** PEM. */
  readonly caBundle: string
  /** Whether the webhook keeps it. */
  readonly isKeptByUs: boolean
}

interface Hop {
  readonly codes: Readonly<Record<BundleProblem, Code>>
  /** Continues a sentence. */
  readonly consequence: string
}

const WORDS: Readonly<Record<BundleProblem, string>> = {
  empty: 'its caBundle has no certificate',
  expired: 'all certificates of its caBundle have expired',
  other: 'its caBundle has no certificate of the CA of flux-metrics',
}

export function bundleFindings(
  { subject, object, caBundle, isKeptByUs }: Bundle,
  { codes, consequence }: Hop,
  { now, webhook: { projectCa, namespace } }: InstallationFacts,
): readonly Finding[] {
  // With another manager, such as cert-manager, the CA is another's.
  const authority = isKeptByUs ? knownOf(projectCa) : undefined
  const problem = problemOfBundle(caBundle, authority, now)
  if (problem === undefined) return []
  const message = `${WORDS[problem]}: ${consequence}`
  const fix = isKeptByUs
    ? `the webhook should have mended it within 10 s: see kubectl logs -n ${namespace} deployment/${WEBHOOK}`
    : `let the webhook keep it: kubectl label ${object} flux-metrics/ca-bundle=true --overwrite`
  return [finding(codes[problem], { subject, message, fix })]
}
