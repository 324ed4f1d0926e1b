package interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * HAPI's instance validator with the published definitions of FHIR R4 and no terminology server: a code
 * system that is not part of them (RxNorm, SNOMED CT) is a warning. Reads one resource a line, writes
 * {@code {"issues":[{"severity","where","text"}]}} for each, in order.
 */
public final class Validate {
    private static FhirValidator validator() {
        FhirContext r4 = FhirContext.forR4();
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(r4);
        unknown.setNonExistentCodeSystemSeverity(ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
        ValidationSupportChain chain = new ValidationSupportChain(
                new DefaultProfileValidationSupport(r4),
                new CommonCodeSystemsTerminologyService(r4),
                new InMemoryTerminologyServerValidationSupport(r4),
                unknown);
        return r4.newValidator().registerValidatorModule(new FhirInstanceValidator(chain));
    }

    public static void main(String[] args) throws Exception {
        FhirValidator validator = validator();
        ObjectMapper json = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            ObjectNode out = json.createObjectNode();
            ArrayNode issues = out.putArray("issues");
            for (SingleValidationMessage m : validator.validateWithResult(line).getMessages()) {
                issues.addObject().put("severity", m.getSeverity().getCode())
                        .put("where", m.getLocationString()).put("text", m.getMessage());
            }
            System.out.println(json.writeValueAsString(out));
        }
    }
}
