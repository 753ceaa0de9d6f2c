import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.crypt.*;
import java.util.*;
public class B {
  public static void main(String[] a) throws Exception {
    byte[] secret=new byte[32]; new Random(1).nextBytes(secret);
    long t0=System.nanoTime();
    QueueKey key=new QueueKey(new KeyId("0123456789abcdef"),"x",secret);
    System.out.printf("derive %d ms%n",(System.nanoTime()-t0)/1000000);
    byte[] text=new byte[Integer.parseInt(a[0])]; new Random(2).nextBytes(text);
    byte[] into=new byte[text.length+69];
    for (int round=0; round<6; round++) {
      long t=System.nanoTime(); int n=0;
      while (n<(round==0?8:64)) { text[n%text.length]++; Envelope.seal(key,text,text.length,into); n++; }
      double s=(System.nanoTime()-t)/1e9; 
      byte[] sealed=into.clone();
      long u=System.nanoTime(); int m=0;
      while (m<(round==0?8:64)) { Envelope.open(key,sealed); m++; }
      double o=(System.nanoTime()-u)/1e9;
      System.out.printf("round %d seal %.0f MB/s open %.0f MB/s%n",round,n*(double)text.length/s/1e6,m*(double)text.length/o/1e6);
    }
  }
}
