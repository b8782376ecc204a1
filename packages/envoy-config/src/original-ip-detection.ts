/** An entry of `original_ip_detection_extensions`: where a client's address is looked for when the peer is not asked. */
export type OriginalIpDetection = XffDetection | CustomHeaderDetection

/** envoy.extensions.http.original_ip_detection.xff.v3.XffConfig */
export interface XffDetection {
  type: 'xff'
  trustedHops: number
  /** CIDR texts of proxies whose word counts; undefined: hops are counted. */
  trustedCidrs?: readonly string[]
  skipAppend: boolean
}

/** envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig */
export interface CustomHeaderDetection {
  type: 'custom_header'
  /** Lower case. */
  header: string
  /** The address may make a request internal. */
  trusted: boolean
  /** What a request without an address there is answered; undefined: it goes on. */
  rejectWith?: number
}
