package dev.regen.agent.registry;

import static dev.regen.agent.registry.RegistryClient.MANIFEST;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the lists of tags and repositories have, page by page, and what is in none any more. */
final class ListsAndDeletionTest extends OneRegistry {
  @Test
  void tagsAreListedInLexicalOrder() throws Exception {
    JsonObject image = client.imageManifest("order", "one");
    for (String tag : List.of("v2", "v10", "B", "a", "_x", "C", "1.0", "1.0-rc", "latest")) {
      tag("order", tag, image);
    }

    Answer list = client.get("/v2/order/tags/list").is(200);

    assertThat(list.header("Content-Type")).startsWith("application/json");
    assertThat(list.json().string("name")).isEqualTo("order");
    assertThat(list.json().strings("tags"))
        .containsExactly("1.0", "1.0-rc", "_x", "a", "B", "C", "latest", "v10", "v2");
    assertThat(list.header("Link")).isEmpty();
    client.head("/v2/order/tags/list").is(200);
  }

  @Test
  void aListComesInPagesOfTheWantedLength() throws Exception {
    JsonObject image = client.imageManifest("pages", "one");
    for (String tag : List.of("e", "d", "c", "b", "A")) {
      tag("pages", tag, image);
    }

    Answer first = client.get("/v2/pages/tags/list?n=2").is(200);
    Answer second = client.get(next(first)).is(200);
    Answer third = client.get(next(second)).is(200);

    assertThat(first.json().strings("tags")).containsExactly("A", "b");
    assertThat(second.json().strings("tags")).containsExactly("c", "d");
    assertThat(third.json().strings("tags")).containsExactly("e");
    assertThat(third.header("Link")).isEmpty();
    assertThat(client.get("/v2/pages/tags/list?n=5").header("Link")).isEmpty();
    assertThat(tags("/v2/pages/tags/list?n=1000000000000")).hasSize(5);
  }

  @Test
  void aListGoesOnBehindTheLast() throws Exception {
    JsonObject image = client.imageManifest("last", "one");
    for (String tag : List.of("a", "b", "c")) {
      tag("last", tag, image);
    }
    assertThat(tags("/v2/last/tags/list?last=a")).containsExactly("b", "c");
    assertThat(tags("/v2/last/tags/list?last=aa&n=1")).containsExactly("b");
    assertThat(tags("/v2/last/tags/list?last=c")).isEmpty();
    assertThat(tags("/v2/last/tags/list?last=zzz&n=3")).isEmpty();
  }

  @Test
  void nothingIsListedWhenNothingIsWanted() throws Exception {
    tag("zero", "a", client.imageManifest("zero", "one"));

    Answer none = client.get("/v2/zero/tags/list?n=0").is(200);

    assertThat(none.json().members()).containsKey("tags");
    assertThat(none.json().strings("tags")).isEmpty();
    assertThat(none.header("Link")).isEmpty();
    for (String wrong : List.of("-1", "x", "1.5", "%20")) {
      client.get("/v2/zero/tags/list?n=" + wrong).is(400, "PAGINATION_NUMBER_INVALID");
    }
  }

  @Test
  void aRepositoryThatIsUnknownHasNoList() throws Exception {
    client.get("/v2/never/tags/list").is(404, "NAME_UNKNOWN");
    client.get("/v2/never/manifests/latest").is(404, "MANIFEST_UNKNOWN");
    client.delete("/v2/never/manifests/latest").is(404, "MANIFEST_UNKNOWN");
  }

  @Test
  void theCatalogHasEachRepositoryOnce() throws Exception {
    for (String name : List.of("catalog/b", "catalog/a", "catalog/a/c")) {
      client.image(name, "v1", "one");
      client.image(name, "v2", "two");
    }

    List<String> all = client.get("/v2/_catalog").is(200).json().strings("repositories");
    assertThat(all)
        .doesNotHaveDuplicates()
        .isSorted()
        .containsSubsequence("catalog/a", "catalog/a/c", "catalog/b");

    List<String> found = new ArrayList<>();
    String next = "/v2/_catalog?n=1&last=catalog";
    while (!next.isEmpty()) {
      Answer page = client.get(next).is(200);
      found.addAll(page.json().strings("repositories"));
      next = next(page);
    }
    assertThat(found).contains("catalog/a", "catalog/a/c", "catalog/b").isSubsetOf(all);
    assertThat(client.get("/v2/_catalog?n=0").is(200).header("Link")).isEmpty();
  }

  @Test
  void aDeletedTagLeavesTheManifest() throws Exception {
    String digest = client.image("untag", "v1", "one");
    client.image("untag", "v2", "one");

    client.delete("/v2/untag/manifests/v1").is(202);

    client.get("/v2/untag/manifests/v1").is(404, "MANIFEST_UNKNOWN");
    client.head("/v2/untag/manifests/v1").is(404);
    client.delete("/v2/untag/manifests/v1").is(404, "MANIFEST_UNKNOWN");
    client.get("/v2/untag/manifests/" + digest).is(200);
    assertThat(tags("/v2/untag/tags/list")).containsExactly("v2");
    client.image("untag", "v1", "two");
    assertThat(tags("/v2/untag/tags/list")).containsExactly("v1", "v2");
  }

  @Test
  void aDeletedManifestTakesItsTagsAlong() throws Exception {
    String digest = client.image("remove", "v1", "one");
    client.image("remove", "v1.0", "one");
    client.image("remove", "v2", "two");

    client.delete("/v2/remove/manifests/" + digest).is(202);

    client.get("/v2/remove/manifests/" + digest).is(404, "MANIFEST_UNKNOWN");
    client.head("/v2/remove/manifests/v1").is(404);
    client.delete("/v2/remove/manifests/" + digest).is(404, "MANIFEST_UNKNOWN");
    assertThat(tags("/v2/remove/tags/list")).containsExactly("v2");
    client.delete("/v2/remove/manifests/v2").is(202);
    assertThat(tags("/v2/remove/tags/list")).isEmpty();
  }

  private static String next(Answer page) {
    return page.header("Link").replaceFirst("^<([^>]*)>; *rel=\"next\"$", "$1");
  }

  private static List<String> tags(String path) throws Exception {
    return client.get(path).is(200).json().strings("tags");
  }

  private static void tag(String repository, String tag, JsonObject image) throws Exception {
    client
        .put("/v2/" + repository + "/manifests/" + tag, image.bytes(), "Content-Type", MANIFEST)
        .is(201);
  }
}
