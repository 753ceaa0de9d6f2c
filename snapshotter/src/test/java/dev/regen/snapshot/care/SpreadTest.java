package dev.regen.snapshot.care;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.remote.RemoteStore;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lists of stores that break off. */
final class SpreadTest {
  @Test
  @Timeout(20)
  void anErrorWhileAListIsReadKeepsNobodyWaiting() {
    RemoteStore store =
        (RemoteStore)
            Proxy.newProxyInstance(
                RemoteStore.class.getClassLoader(),
                new Class<?>[] {RemoteStore.class},
                (_, _, _) -> {
                  throw new NoClassDefFoundError("gone after an update");
                });

    assertThatThrownBy(() -> new Spread(List.of(store)).close())
        .hasMessageContaining("gone after an update");
  }
}
