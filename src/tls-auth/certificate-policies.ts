import type { Certificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import type { PathRole } from './pkix-profile.ts';
import {
  NO_VALID_POLICIES,
  PolicyGraph,
  policyNodesMax,
  type ValidPolicies,
} from './policy-graph.ts';

/** What whoever asks for a path says about policies — RFC 5280 §6.1.1 (c), (e) to (g). */
export interface PolicyInputs {
  /** user-initial-policy-set, object identifiers; undefined accepts any policy. */
  readonly initialPolicies?: ReadonlySet<string> | undefined;
  /** initial-explicit-policy: the path must be valid for one of `initialPolicies`. */
  readonly explicitPolicy?: boolean;
  /** initial-policy-mapping-inhibit */
  readonly inhibitPolicyMapping?: boolean;
  /** initial-any-policy-inhibit */
  readonly inhibitAnyPolicy?: boolean;
}

/**
 * The policies of a path, certificate after certificate from the anchor — RFC 5280 §6.1.2 (a) and
 * (d) to (f), with the bounded graph of RFC 9618. An anchor's policies and mappings are not looked
 * at, since it is no part of the path (§6.1); what it requires or inhibits binds those below it, as
 * all that stands in our anchors does.
 */
export class PolicyWalk {
  private readonly inputs: PolicyInputs;
  private readonly graph = new PolicyGraph();
  /** Certificates that are not self-issued until a valid policy is needed. */
  private explicitPolicy: number;
  /** … until mapping is inhibited. */
  private policyMapping: number;
  /** … until anyPolicy is ignored. */
  private anyPolicy: number;
  private answer = NO_VALID_POLICIES;

  /** `length` counts the certificates of the path without the anchor. */
  constructor(length: number, inputs: PolicyInputs = {}) {
    this.inputs = inputs;
    this.explicitPolicy = inputs.explicitPolicy === true ? 0 : length + 1;
    this.policyMapping = inputs.inhibitPolicyMapping === true ? 0 : length + 1;
    this.anyPolicy = inputs.inhibitAnyPolicy === true ? 0 : length + 1;
  }

  /** What the path is valid for; known after the last certificate. */
  get validPolicies(): ValidPolicies {
    return this.answer;
  }

  /** The next certificate, the anchor first; a refusal ends the walk. */
  step(certificate: Certificate, role: PathRole): CertificateRefusal | undefined {
    if (role === 'intermediate') return this.intermediate(certificate);
    if (role === 'leaf') return this.leaf(certificate);
    this.constrain(certificate);
    return undefined;
  }

  /** RFC 5280 §6.1.3 (d) to (f), then §6.1.4 (b), (h) to (j). */
  private intermediate(certificate: Certificate): CertificateRefusal | undefined {
    const refusal = this.add(certificate, certificate.isSelfIssued);
    if (refusal !== undefined) return refusal;
    const { policyMappings = [] } = certificate.extensions;
    if (this.policyMapping > 0) this.graph.map(policyMappings);
    else this.graph.deleteMapped(policyMappings);
    if (!certificate.isSelfIssued) {
      this.explicitPolicy = Math.max(0, this.explicitPolicy - 1);
      this.policyMapping = Math.max(0, this.policyMapping - 1);
      this.anyPolicy = Math.max(0, this.anyPolicy - 1);
    }
    this.constrain(certificate);
    return this.sizeRefusal(certificate);
  }

  /** RFC 5280 §6.1.3 (d) to (f), then §6.1.5 (a), (b), (g): the last certificate of the path. */
  private leaf(certificate: Certificate): CertificateRefusal | undefined {
    const refusal = this.add(certificate, false) ?? this.sizeRefusal(certificate);
    if (refusal !== undefined) return refusal;
    this.explicitPolicy = Math.max(0, this.explicitPolicy - 1);
    if (certificate.extensions.policyConstraints?.requireExplicitPolicy === 0) {
      this.explicitPolicy = 0;
    }
    this.answer = this.graph.validPolicies(this.inputs.initialPolicies);
    if (this.explicitPolicy > 0 || this.answer.policies.length > 0) return undefined;
    const { initialPolicies } = this.inputs;
    const wanted = initialPolicies === undefined ? 'any' : [...initialPolicies].join(', ');
    return noPolicy(
      certificate,
      '§6.1.5 (g)',
      `no policy is valid for the path, accepted: ${wanted}`,
    );
  }

  /** RFC 5280 §6.1.3 (d) to (f). */
  private add(
    certificate: Certificate,
    isSelfIssuedIntermediate: boolean,
  ): CertificateRefusal | undefined {
    const { certificatePolicies } = certificate.extensions;
    if (certificatePolicies === undefined) this.graph.setNull();
    else this.graph.addDepth(certificatePolicies, this.anyPolicy > 0 || isSelfIssuedIntermediate);
    if (this.explicitPolicy > 0 || !this.graph.isNull) return undefined;
    const found =
      certificatePolicies === undefined
        ? 'none'
        : certificatePolicies.map(({ policy }) => policy).join(', ');
    const detail = `a policy is required, and none of its own is valid here: it has ${found}`;
    return noPolicy(certificate, '§6.1.3 (f)', detail);
  }

  /** RFC 5280 §6.1.4 (i), (j). */
  private constrain({ extensions }: Certificate): void {
    const { policyConstraints, inhibitAnyPolicy } = extensions;
    const { requireExplicitPolicy, inhibitPolicyMapping } = policyConstraints ?? {};
    this.explicitPolicy = Math.min(this.explicitPolicy, requireExplicitPolicy ?? Infinity);
    this.policyMapping = Math.min(this.policyMapping, inhibitPolicyMapping ?? Infinity);
    this.anyPolicy = Math.min(this.anyPolicy, inhibitAnyPolicy ?? Infinity);
  }

  private sizeRefusal(certificate: Certificate): CertificateRefusal | undefined {
    if (!this.graph.isTooLarge) return undefined;
    const detail = `more than ${policyNodesMax} policies in the certificates from the anchor to it`;
    return new CertificateRefusal(
      'work-limit',
      certificate.describe(),
      'limit policyNodesMax',
      detail,
    );
  }
}

function noPolicy(certificate: Certificate, section: string, detail: string): CertificateRefusal {
  const rule = `RFC 5280 ${section} valid policy`;
  return new CertificateRefusal('no-valid-policy', certificate.describe(), rule, detail);
}
