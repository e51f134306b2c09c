// All checks, in the order of the chain: of findings that weigh the same, the first is told first. To add a check, add its row.
import type { Check, InstallationCheck } from './check.ts'
import { EXTERNAL_CHECK } from './rules/external-check.ts'
import { FLUX_CHECKS } from './rules/flux-checks.ts'
import { HPA_CHECKS } from './rules/hpas/hpa-checks.ts'
import { LEAD_CHECKS } from './rules/lead-checks.ts'
import { METRICS_API_CHECKS } from './rules/metrics-api-checks.ts'
import { MINICLUSTER_CHECKS } from './rules/minicluster-checks.ts'
import { POD_CHECKS } from './rules/pod-checks.ts'
import { SERVER_CHECK } from './rules/server-check.ts'
import { SIDECAR_CHECK } from './rules/sidecar-check.ts'
import { WEBHOOK_CHECKS } from './rules/webhook-checks.ts'

/** What a check needs stands before it. */
export const CHECKS: readonly Check[] = [
  SERVER_CHECK,
  ...METRICS_API_CHECKS.filter(({ scope }) => scope === 'installation'),
  ...WEBHOOK_CHECKS.filter(({ scope }) => scope === 'installation'),
  ...MINICLUSTER_CHECKS,
  ...METRICS_API_CHECKS.filter(({ scope }) => scope === 'minicluster'),
  ...WEBHOOK_CHECKS.filter(({ scope }) => scope === 'minicluster'),
  ...LEAD_CHECKS,
  SIDECAR_CHECK,
  ...FLUX_CHECKS,
  ...POD_CHECKS,
  EXTERNAL_CHECK,
  ...HPA_CHECKS,
]

export const INSTALLATION_CHECKS: readonly InstallationCheck[] = CHECKS.filter(
  (check) => check.scope === 'installation',
)
