package dev.regen.agent.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Edits configurations of many shapes; Jackson's tree model says what the result should mean. */
final class DaemonJsonTest {
  private static final String PATH = "/usr/local/lib/regen/bin/regen-runtime";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{ }\n",
        "{\n}\n",
        "{\"debug\":true}",
        "{\n  \"debug\": true,\n  \"x\": 1e400, \"big\": 123456789012345678901234567890\n}\n",
        "{\n\t\"runtimes\": {}\n}",
        "{\"runtimes\":{\"nvidia\":{\"path\":\"n\",\"runtimeArgs\":[]}},\"b\":{\"runtimes\":{}}}",
        "{\r\n  \"runtimes\": {\r\n    \"a\": { \"path\": \"a\" }\r\n  },\r\n  \"ü\": \"\\u00e9\"\r\n}",
        "  {\"b\" : [ {\"runtimes\":1} ] , \"runtimes\" : { \"z\" : {} } }  \n",
      })
  void theEntryIsAddedAndNothingElseIsTouchedAndTakingItOutGivesTheSameText(String text)
      throws IOException {
    ObjectNode expected = (ObjectNode) MAPPER.readTree(text);
    expected.withObjectProperty("runtimes").withObjectProperty("regen").put("path", PATH);
    DaemonJson before = new DaemonJson(text);

    DaemonJson with = before.with("regen", PATH);

    assertThat(MAPPER.readTree(with.text())).isEqualTo(expected);
    assertThat(with.path("regen")).isEqualTo(PATH);
    assertThat(with.with("regen", PATH)).isEqualTo(with);
    assertThat(with.without("regen", !before.hasRuntimes())).isEqualTo(before);
  }

  @Test
  void anEntryElsewhereIsReplacedInItsPlace() throws IOException {
    String text = "{\"runtimes\": {\"a\": {}, \"regen\": {\"path\": \"/old\"}, \"b\": {}}}";

    String with = new DaemonJson(text).with("regen", PATH).text();

    assertThat(with).isEqualTo(text.replace("/old", PATH));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"runtimes\": {\"regen\": {}, \"b\": {}}}",
        "{\"runtimes\": {\"b\": {}, \"regen\": {}}}",
        "{\"runtimes\": {\"a\": {},\n \"regen\": {} ,\n \"b\": {}}}",
        "{\"runtimes\":{\"regen\":{}},\"c\":1}",
        "{\"c\":1 , \"runtimes\" : { \"regen\" : {} } }",
      })
  void theEntryIsTakenOutWhereverItStands(String text) throws IOException {
    ObjectNode expected = (ObjectNode) MAPPER.readTree(text);
    expected.withObjectProperty("runtimes").remove("regen");

    String kept = new DaemonJson(text).without("regen", false).text();
    assertThat(MAPPER.readTree(kept)).isEqualTo(expected);

    if (expected.withObjectProperty("runtimes").isEmpty()) {
      expected.remove("runtimes");
    }
    String emptied = new DaemonJson(text).without("regen", true).text();
    assertThat(MAPPER.readTree(emptied)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "[]",
        "null",
        "{\"a\": 1,}",
        "{\"a\": 1} x",
        "{\"a\": 1, \"a\": 2}",
        "{\"runtimes\": {\"x\": {}, \"x\": {}}}",
        "{\"runtimes\": []}",
        "// a comment\n{}",
        "\uFEFF{}",
      })
  void whatCannotBeEditedSafelyIsRefused(String text) {
    assertThatThrownBy(() -> new DaemonJson(text).with("regen", PATH))
        .isInstanceOf(IOException.class);
  }

  @Test
  void anEmptyFileBecomesAnObject() throws IOException {
    DaemonJson with = new DaemonJson(" \n").with("regen", PATH);

    assertThat(with.path("regen")).isEqualTo(PATH);
  }
}
