package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.RegenException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StoreUrlTest {
  @Test
  void severalServersWithWeightsAndDomains() {
    StoreUrl url =
        StoreUrl.parse(
            "http://h1:7070,https://[::1]:7071;weight=2;domain=rack%202;id=second,dir:/a%2Cb"
                + "?replicas=2&token-file=/etc/t");
    assertThat(url.placement().replicas()).isEqualTo(2);
    assertThat(url.placement().servers())
        .containsExactly(
            new Placement.Server("http://h1:7070", 1, "http://h1:7070"),
            new Placement.Server("second", 2, "rack 2"),
            new Placement.Server("dir:/a,b", 1, "dir:/a,b"));
    assertThat(url.options()).containsEntry("token-file", "/etc/t");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/path",
        "dir:path",
        "dir:",
        "ftp://h",
        "http://",
        "http://h:1/path",
        "http://u:p@h:1",
        "http://h:x",
        "http://h:1,",
        "http://h:1,http://h:1",
        "http://h:1;weight=0",
        "http://h:1;weight=1001",
        "http://h:1;colour=red",
        "http://h:1;weight",
        "http://h:1?replicas=0",
        "http://h:1?replicas=2",
        "http://h:1;domain=a,http://h:2;domain=a?replicas=2",
        "http://h:1?replica=1",
        "http://h:1?token-file=t",
        "http://h:1?cert-file=/c",
        "http://h:1?replicas=1&replicas=1",
        "s3:bucket",
        "s3://B",
        "s3://bucket/../x",
        "s3://bucket/a//b",
        "s3://bucket/a b",
        "s3://bucket,s3://other",
        "s3://bucket?endpoint=127.0.0.1:80",
        "s3://bucket?endpoint=http://u:p@h",
        "s3://bucket?replicas=1",
        "s3://bucket?writers=two",
        "http://h:1,s3://bucket"
      })
  void whatHasAnotherFormIsRefused(String text) {
    assertThatThrownBy(() -> StoreUrl.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://h:1,http://g:1,http://h:1/",
        "dir:/a,dir:/b;id=http://h:1,http://h:1",
      })
  void serverThatIsNamedTwiceIsSaid(String text) {
    assertThatThrownBy(() -> StoreUrl.parse(text))
        .hasMessage("'http://h:1' stands twice in the URL; name each server once");
  }

  @Test
  void aBucketWithAPrefixAndOptions() {
    StoreUrl url =
        StoreUrl.parse("s3://bucket/a/b?endpoint=http://127.0.0.1:7480&region=r&writers=one");
    assertThat(url.addresses()).containsExactly(java.net.URI.create("s3://bucket/a/b"));
    assertThat(url.placement().servers()).hasSize(1);
  }

  @Test
  void oneStoreUnderTwoNamesIsRefused(@TempDir Path directory) throws Exception {
    Path store = directory.resolve("store");
    DirectoryRemote first = new DirectoryRemote(store, Long.MAX_VALUE);
    Placement placement =
        new Placement(
            java.util.List.of(new Placement.Server("a", 1, "a"), new Placement.Server("b", 1, "b")),
            2);
    try (ShardedStore twice = new ShardedStore(placement, java.util.List.of(first, first))) {
      assertThatThrownBy(twice::requireDistinct)
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining("one and the same");
    }
  }

  @Test
  void aDirectoryIsOpenedByOneAtATime(@TempDir Path directory) throws Exception {
    StoreUrl url = StoreUrl.parse("dir:" + directory.resolve("store"));
    RemoteStore open = url.open(true);
    assertThatThrownBy(() -> url.open(true)).isInstanceOf(RegenException.Refused.class);
    open.close();
    url.open(true).close();
  }
}
