import type { OriginalIpDetection } from '../original-ip-detection.ts'
import type { Message } from '../schema/message.ts'
import { parseCidrRanges } from './cidr-ranges.ts'
import type { ParseContext } from './context.ts'
import { parseStatus } from './status.ts'

/** Of `original_ip_detection_extensions`; they are in the place of `use_remote_address` and `xff_num_trusted_hops`. */
export function parseOriginalIpDetection(manager: Message, context: ParseContext): OriginalIpDetection[] {
  const extensions = manager.messages('original_ip_detection_extensions')
  if (extensions.length > 0) {
    for (const field of ['use_remote_address', 'xff_num_trusted_hops']) {
      if (!manager.boolean(field)) continue
      const what = `cannot be set together with ${field}`
      context.problems.add('invalid', manager.place('original_ip_detection_extensions'), what)
    }
  }
  return extensions.flatMap(extension => {
    const config = extension.message('typed_config')
    switch (config?.type) {
      case 'envoy.extensions.http.original_ip_detection.xff.v3.XffConfig':
        return [parseXff(config, context)]
      case 'envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig':
        return [parseCustomHeader(config)]
      default:
        return []
    }
  })
}

function parseXff(config: Message, context: ParseContext): OriginalIpDetection {
  const trusted = config.message('xff_trusted_cidrs')
  const trustedHops = config.number('xff_num_trusted_hops')
  if (trusted !== undefined && trustedHops > 0) {
    const what = 'cannot be set together with xff_num_trusted_hops'
    context.problems.add('invalid', config.place('xff_trusted_cidrs'), what)
  }
  const ranges = parseCidrRanges(trusted?.messages('cidrs') ?? [], context)
  return {
    type: 'xff',
    trustedHops,
    ...(ranges.length > 0 && { trustedCidrs: ranges }),
    skipAppend: config.boolean('skip_xff_append', true),
  }
}

function parseCustomHeader(config: Message): OriginalIpDetection {
  const status = parseStatus(config.message('reject_with_status'))
  return {
    type: 'custom_header',
    header: config.string('header_name').toLowerCase(),
    trusted: config.boolean('allow_extension_to_set_address_as_trusted'),
    // What is no error cannot be meant: as in Envoy it is 403.
    ...(status !== undefined && { rejectWith: status >= 400 ? status : 403 }),
  }
}
